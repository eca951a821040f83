"""Simplifies a model with onnxslim, onnxsim and onnxruntime's offline optimisation, for bench/simplify.ts.

Reads lines {"model": path, "out": folder} and answers each with {peer: {nodes, bytes, seconds, file} | {error}}; the first
line that it writes has the versions. Nodes in subgraphs count, Constant nodes do not; seconds are the least of warm runs
in this process, loading and saving left out (onnxruntime optimises while it loads and saves: all of that counts).
"""

import contextlib
import copy
import io
import json
import logging
import os
import sys
import time

import onnx

peers = {}
versions = {"onnx": onnx.__version__}
try:
    import onnxslim

    logging.disable(logging.WARNING)
    versions["onnxslim"] = onnxslim.__version__

    def slim(model, path, file):
        begin = time.perf_counter()
        made = onnxslim.slim(model)
        seconds = time.perf_counter() - begin
        onnx.save(made, file)
        return made, seconds

    peers["onnxslim"] = slim
except ImportError:
    pass
try:
    import onnxsim
    from importlib.metadata import version

    versions["onnxsim"] = version("onnxsim")

    def sim(model, path, file):
        begin = time.perf_counter()
        made, _ = onnxsim.simplify(model)
        seconds = time.perf_counter() - begin
        onnx.save(made, file)
        return made, seconds

    peers["onnxsim"] = sim
except ImportError:
    pass
try:
    import onnxruntime

    versions["onnxruntime"] = onnxruntime.__version__

    def basic(model, path, file):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = file
        begin = time.perf_counter()
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        seconds = time.perf_counter() - begin
        return onnx.load(file), seconds

    peers["onnxruntime"] = basic
except ImportError:
    pass


def count(graph):
    nodes = 0
    for node in graph.node:
        nodes += node.op_type != "Constant"
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                nodes += count(inner)
    return nodes


def measure(run, path, folder, peer):
    file = os.path.join(folder, f"{peer}.onnx")
    model = onnx.load(path)
    times = []
    # The first run warms up; slow ones are not repeated for long.
    while len(times) < 4 and sum(times) < 10:
        given = copy.deepcopy(model)
        if os.path.exists(file):
            os.remove(file)
        made, seconds = run(given, path, file)
        times.append(seconds)
    warm = times[1:] or times
    domains = sorted({node.domain for node in made.graph.node if node.domain not in ("", "ai.onnx")})
    return {
        "nodes": count(made.graph),
        "bytes": os.path.getsize(file),
        "seconds": min(warm),
        "file": file,
        "domains": domains,
    }


def main():
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps(versions), file=out, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {}
        for peer, run in peers.items():
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    answer[peer] = measure(run, asked["model"], asked["out"], peer)
            except Exception as error:  # noqa: BLE001: what a peer cannot do is an answer
                answer[peer] = {"error": f"{type(error).__name__}: {error}"[:300]}
        print(json.dumps(answer), file=out, flush=True)


main()
