"""The pieces of a run that goes on in real time; `run_pipeline` joins them."""
