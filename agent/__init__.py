"""The vehicle's side of the protocol: outbox, publish, stored-ack, resend."""
