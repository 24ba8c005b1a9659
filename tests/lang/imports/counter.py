print("counter runs")
count = 1


def __getattr__(name):
    if name.endswith("dynamic"):
        return f"made for {name}"
    raise AttributeError(f"module {__name__!r} refuses {name!r}")


def __dir__():
    return ["extra", "count"]
