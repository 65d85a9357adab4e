# Shares under make:
#
#     make -f exec.mk -j4 SHARES=4
#
# A journal is no target: one that is not complete must not count as made. Each share
# has a file that says that it is done, and .PRECIOUS has make keep these. After a
# failure, or a kill, the same command does only what is missing.
SHARES     ?= 4
CHUNK_SIZE ?= 1_000_000
INTERVALS  ?= 1e9
PROGRAM    ?= approx_pi.py

shares := $(shell seq $(SHARES))

result: $(shares:%=share-%.done)
	procpool merge $(shares:%=share-%.journal) >$@.new
	mv $@.new $@

share-%.done:
	procpool exec --procs 1 --share $*/$(SHARES) --chunk-size $(CHUNK_SIZE) \
	    --journal share-$*.journal --resume $(INTERVALS) -- python3 "$(PROGRAM)"
	touch $@

.PRECIOUS: share-%.done
