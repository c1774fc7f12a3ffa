"""What went wrong at a service: did it refuse, or did it not answer?"""

from countersign.core.errors import CountersignError, Rejected, Unavailable

_REFUSED = range(400, 500)  # HTTP: the client's fault
_MAX_TEXT = 300  # characters


def failure(error: Exception, service: str) -> CountersignError:
    """Translate `error`, which sigstore-python raised.

    Its exceptions are private and differ from service to service; what they agree on is
    that an answer of the service is somewhere in their chain.

    Args:
        error: As caught.
        service: Who was asked, for the message.
    """
    answer = _answer(error)
    status = getattr(answer, "status_code", None)
    if isinstance(status, int) and status in _REFUSED:
        text = getattr(answer, "text", "")
        return Rejected(f"{service} refused ({status}): {_short(str(text))}")
    reason = _short(str(error)) or type(error).__name__
    return Unavailable(f"{service} did not sign: {reason}")


def _answer(error: BaseException | None) -> object:
    while error is not None:
        answer = getattr(error, "response", None)
        if answer is not None:
            return answer
        error = error.__cause__ or error.__context__
    return None


def _short(text: str) -> str:
    return " ".join(text.split())[:_MAX_TEXT]
