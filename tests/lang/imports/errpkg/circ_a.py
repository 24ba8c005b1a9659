import errpkg.circ_b
A = "A"
