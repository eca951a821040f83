"""The PyTorch half of bench/train.ts. For each line of JSON on stdin ({"net", "layout", "steps"}) it takes that many
training steps and prints their milliseconds as a line of JSON. Networks are kept from one line to the next."""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

threads, batch, classes = (int(argument) for argument in sys.argv[1:4])
clock = time.process_time if sys.argv[4] == "cpu" else time.perf_counter
torch.set_num_threads(threads)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        branch = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(branch + self.shortcut(x))


def mlp():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, classes))


def simple_net():
    def stage(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(*stage(1, 32), *stage(32, 64), nn.Flatten(), nn.Linear(64 * 49, classes))


def resnet():
    stem = [nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    blocks = [Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


nets = {
    "mlp": (mlp, (784,)),
    "simple-net-3x3": (simple_net, (1, 28, 28)),
    "resnet-8": (resnet, (1, 28, 28)),
}


def contender(net, layout):
    build, shape = nets[net]
    model, x = build(), torch.rand(batch, *shape)
    if layout == "channels_last":
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    y = torch.randint(0, classes, (batch,))
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)

    def step():
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


kept = {}
print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    key = asked["net"], asked["layout"]
    if key not in kept:
        kept[key] = contender(*key)
    step = kept[key]
    times = []
    for _ in range(asked["steps"]):
        start = clock()
        step()
        times.append((clock() - start) * 1e3)
    print(json.dumps(times), flush=True)
