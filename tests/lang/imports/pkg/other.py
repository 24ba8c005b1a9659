print("importing", __name__)
from .mod import CONST
from pkg import VALUE

DOUBLE = CONST * 2 + VALUE
