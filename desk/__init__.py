"""The booking desk: a small booking system of its own, outside our walls."""
