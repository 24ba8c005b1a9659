from errpkg.circ_bad2 import Y
X = 1
