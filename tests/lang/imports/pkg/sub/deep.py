print("importing", __name__)
from .. import mod
from ..sub import helper

NAME = "deep"


def up():
    return mod.func(), helper()
