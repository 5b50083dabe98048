# What docs/fleet.md watches.
ln -sf build/examples/shared_cycles server
export TEXTFILES=.
