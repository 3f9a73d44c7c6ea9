"""Why the desk refuses a request; the one error its HTTP interface answers with."""

from datetime import timedelta

from fastapi import Response

from desk.messages import Appointment, FieldProblem, Problem, ProblemAnswer


class Refusal(Exception):  # noqa: N818 - an answer of the interface, not a fault in the program
    """A request that cannot be served: an HTTP status and the body that tells why."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        appointment: Appointment | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        fields = [FieldProblem(field=field, message=message)] if field else []
        self.problem = Problem(code=code, message=message, fields=fields, appointment=appointment)


def refusal(problem: Problem, status: int, retry_after: timedelta | None = None) -> Response:
    """The HTTP answer that tells of a problem."""
    headers = {"Retry-After": str(int(retry_after.total_seconds()))} if retry_after else None
    body = ProblemAnswer(error=problem).model_dump_json(exclude_none=True)
    return Response(body, status, headers, media_type="application/json")
