# 100 shares by make, and their sum. Made by
#     procpool job --engine make --shares 100 --procs 2 -- run --task pi-fast 1e13
# and tried with GNU make 4.3. Run it with: make -f FILE -j2, so many shares at once.
# Started again it resumes; make waits for the chunks in flight after a first signal.
procpool.sum: $(shell seq -f procpool-%.0f.done 100)
	printf 'procpool-%s.journal\0' $$(seq 100) | procpool merge --files0-from - >$@.new
	mv $@.new $@
	cat $@

procpool-%.done:
	share='$*' journal='procpool-$*.journal' && procpool run --share "$$share/100" --journal "$$journal" --resume --grace 80s --procs 2 --task pi-fast 1e13 >'procpool-$*.log' && touch $@
