"""Writes src/gradient/goldens/training.json: parameters after 1 and 5 training steps, by PyTorch in float64.

Run: python tools/goldens/training.py   (needs torch; only when the cases change)
"""

import json
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(6, 8)
        self.linear2 = nn.Linear(8, 4)

    def forward(self, x):
        return self.linear2(torch.tanh(self.linear1(x)))


class Residual(nn.Module):
    """A small residual net with everything that a ResNet has, but a smooth activation: signs at ReLU would flip."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(8)
        self.shortcut = nn.Conv2d(4, 8, 1, stride=2, bias=False)
        self.conv3 = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = F.softplus(self.bn1(self.conv1(x)))
        x = F.softplus(self.bn2(self.conv2(x)) + self.shortcut(x))
        x = F.max_pool2d(F.softplus(self.conv3(x)), 2)
        return self.fc(x.mean((2, 3)))


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-2),
    "plain sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "adamW": lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=1e-2),
}


def rounded(t):
    # The start is rounded to float32 so that both sides begin alike.
    return t.float().double()


def numbers(t):
    return [float(f"{v:.9g}") for v in t.flatten().tolist()]


def case(name, model, shape, classes, optimizer, smoothing=0.0):
    torch.manual_seed(1)
    net = model()
    with torch.no_grad():
        for t in net.state_dict().values():
            if t.is_floating_point():
                t.copy_(rounded(t))
    state = lambda: {k: numbers(v) for k, v in net.state_dict().items() if v.is_floating_point()}
    x = rounded(torch.randn(5, *shape))
    y = torch.randint(0, classes, (5, shape[0]))
    start, losses, after = state(), [], {}
    step = OPTIMIZERS[optimizer](net.parameters())
    for i in range(5):
        loss = F.cross_entropy(net(x[i]), y[i], label_smoothing=smoothing)
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.item())
        if i in (0, 4):
            after[str(i + 1)] = state()
    return {
        "name": name, "model": model.__name__, "optimizer": optimizer, "labelSmoothing": smoothing,
        "shape": list(shape), "start": start, "x": numbers(x), "y": y.flatten().tolist(), "losses": losses, "after": after,
    }


cases = [
    case("a perceptron by plain SGD", Mlp, (7, 6), 4, "plain sgd"),
    case("a perceptron by SGD with Nesterov's momentum and weight decay", Mlp, (7, 6), 4, "sgd"),
    case("a perceptron by AdamW, with label smoothing", Mlp, (7, 6), 4, "adamW", 0.1),
    case("a residual net with batch normalization by SGD", Residual, (8, 1, 8, 8), 3, "sgd"),
    case("a residual net with batch normalization by AdamW", Residual, (8, 1, 8, 8), 3, "adamW"),
]
target = pathlib.Path(__file__).resolve().parents[2] / "src/gradient/goldens/training.json"
target.parent.mkdir(exist_ok=True)
target.write_text(json.dumps({"versions": {"torch": torch.__version__}, "cases": cases}, separators=(",", ":")) + "\n")
print(target.name, target.stat().st_size, "bytes")
