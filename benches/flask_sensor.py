"""The Flask sensor service that edgewatch replaces, as far as its behaviour matters to a comparison.

It runs as the original did: Flask's threaded development server, prometheus_client with its process and garbage collector
metrics (39 samples in all), /metrics beside /sensor in one process. Run by compare.py.
"""

import random
import sys
import time

from flask import Flask, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

app = Flask(__name__)
requests = Counter("sensor_requests_total", "Requests to /sensor")
failures = Counter("sensor_failed_events_total", "Failed events", ["reason"])
spike = Gauge("sensor_cpu_spike", "Whether the CPU is spiking")
latency = Histogram("sensor_processing_latency_seconds", "Time to answer /sensor")
failures.labels("cpu_spike")


@app.get("/sensor")
@latency.time()
def sensor() -> Response:
    requests.inc()
    spiking = random.random() < 0.1
    spike.set(spiking)
    if spiking:
        failures.labels("cpu_spike").inc()
    work = sum(number * number for number in range(20_000 if spiking else 1_000))
    return jsonify(temperature=round(random.uniform(20, 80), 2), cpu_spike=spiking, work=work, time=time.time())


@app.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)
