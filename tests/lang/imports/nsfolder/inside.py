WHO = "inside a namespace package"


def who():
    return WHO.upper()
