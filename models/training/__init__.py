"""How the students are made: pictures, teacher, student, training, quantization, evaluation.

Needs the `train` extra. Reads data sets as files from `HAETAE_DATA`; imports the floors below only.

    python -m models.training.dataset CACHE
    python -m models.training.train CACHE RUN --minutes 120
    python -m models.training.quantize RUN/last.pt CACHE ppe_s_int8.tflite
    python -m models.training.threshold CACHE ppe_s_int8.tflite
    python -m models.training.evaluate CACHE --checkpoint RUN/last.pt \\
        --int8 ppe_s_int8.tflite --teacher --score 0.5 --report report.json
    python -m models.training.package CACHE ppe_s_int8.tflite report.json \\
        models/students/ppe_s --notes failures.md

The action student learns from skeletons, in minutes on one core:

    python -m models.training.action_figures --count 60000 --out posed.npz
    python -m sim.dataset.skeletons --count 160000 --out simulated.npz
    python -m models.training.action_real --skeleton PACKAGE --out fall_posture.npz
    haetae sim dataset --seed 1001 --frames 4500 --size 640x360 --min-visible 0.2 \\
        --out SIMULATED
    python -m models.training.action_seen SIMULATED --skeleton models/students/skeleton_s \\
        --out seen.npz
    python -m models.training.action_train FIRST --steps 10000 --seed 1 --simulated ...
    python -m models.training.action_train RUN --start FIRST/last.pt --steps 6000 --seed 2 \\
        --simulated posed.npz simulated.npz fall_posture.npz seen.npz
    python -m models.training.action_export RUN/last.pt action_xs_int8.tflite --simulated ...
    python -m models.training.action_evaluate RUN/last.pt action_xs_int8.tflite \\
        --simulated ... --report report.json
    python -m models.training.action_package action_xs_int8.tflite report.json \\
        models/students/action_xs --notes failures.md
"""
