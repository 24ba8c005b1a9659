import errpkg.circ_a
B = "B" + str(hasattr(errpkg.circ_a, "A"))
