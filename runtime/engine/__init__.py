"""What runs a language model: the protocol, llama.cpp behind it in a worker process, and the plan for this machine."""
