"""Embedders: text in, unit vectors out.

`llama_embedder` runs any BERT-like model as GGUF in llama.cpp, `sentence_transformers_embedder` the same weights in
torch or OpenVINO where those are installed; both agree with float32 sentence-transformers to cosine >= 0.999.
"""
