OK = "good is ok"
_hidden = 1
