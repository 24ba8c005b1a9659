print("importing", __name__)
from ..mod import func as _f

__all__ = ["star_public", "helper"]
star_public = "public"
_private = 1
not_in_all = 2


def helper():
    return _f()
