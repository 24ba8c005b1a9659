"Module doc."
print("importing", __name__)
CONST = 5


def func():
    return "func of " + __name__
