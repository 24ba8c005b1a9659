from errpkg.circ_bad import X
Y = 1
