"""Programs that may do nothing but compute: bubblewrap, Landlock, seccomp and resource limits (Linux).

`confinement.find_confinement` probes what this machine can do; `process.start` and `running.run` start a program in it.
"""
