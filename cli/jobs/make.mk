# {{.Shares}} shares by make, and their sum. Made by
#     {{.MadeBy}}
# and tried with GNU make 4.3. Run it with: make -f FILE -j2, so many shares at once.
# Started again it resumes; make waits for the chunks in flight after a first signal.
{{.Name}}.sum: $(shell seq -f {{.Name}}-%.0f.done {{.Shares}})
	{{makefile .MergeRun}} >$@.new
	mv $@.new $@
	cat $@

{{.Name}}-%.done:
	share='$*' journal='{{.Name}}-$*.journal' && {{makefile .Run}} >'{{.Name}}-$*.log' && touch $@
