"""How the students are made: pictures, teacher, student, training, quantization, evaluation.

Needs the `train` extra. Reads data sets as files from `HAETAE_DATA`; imports the floors below only.
"""
