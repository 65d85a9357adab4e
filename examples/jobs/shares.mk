# For make: shares as targets, and their merge.
#
#     make -f shares.mk -j 4 SHARES=16
#
# Each share has a worker of its own, so -j says how many CPUs are used. A share that was
# interrupted goes on with its journal; one that is done is not computed again, because
# its mark is there. make removes no journal: they are not targets.
SHARES    ?= 16
INTERVALS ?= 1e12
TASK      ?= pi-fast

journals := $(foreach k,$(shell seq $(SHARES)),share-$(k).journal)

result: $(journals:.journal=.done)
	procpool merge $(journals) >$@.new
	mv $@.new $@

share-%.done:
	procpool run --quiet --procs 1 --share $*/$(SHARES) --journal share-$*.journal --resume --task $(TASK) $(INTERVALS) >/dev/null
	touch $@
