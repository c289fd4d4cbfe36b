"""extract.v1.ExtractService: records of what a model has read in text."""
