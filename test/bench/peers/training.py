"""One Python side of the training benchmark: `python training.py SIDE MODEL THREADS`.

SIDE is pytorch (a plain loop), best (channels_last, fused Adam, fused attention), accelhydra (a loop written after AccelHydra's
description, with Hugging Face's accelerate) or keras (fit). What it prints, sideProcess.ts says. The models are those of models.ts.
"""

import resource
import sys
import time

SIDE, MODEL, THREADS = sys.argv[1], sys.argv[2], int(sys.argv[3])
BATCH, BATCHES, RATE = 64, 8, 1e-6
STEPS = {"cnn": 80, "mlp": 200, "char": 4, "heavy": 6}[MODEL]
VOCABULARY, LENGTH, WIDTH, HEADS, LAYERS = 65, 64, 128, 4, 2


def data():
    import numpy

    rows = BATCH * BATCHES
    if MODEL == "char":
        numbers = numpy.arange(rows * LENGTH).reshape(rows, LENGTH)
        return numbers * 7 % VOCABULARY, numbers * 11 % VOCABULARY
    images = numpy.sin(numpy.arange(rows * 784) * 0.37).astype("float32").reshape(rows, 28, 28, 1)
    return images, numpy.arange(rows) % 10


def pytorch(is_best, trains=None):
    import torch
    import torch.nn.functional as functional
    from torch import nn

    torch.set_num_threads(THREADS)
    torch.set_num_interop_threads(1)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.project, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

        def forward(self, x):
            batch = x.shape[0]
            split = [p.view(batch, LENGTH, HEADS, -1).transpose(1, 2) for p in self.project(x).chunk(3, -1)]
            seen = functional.scaled_dot_product_attention(*split, is_causal=True)
            return self.out(seen.transpose(1, 2).reshape(batch, LENGTH, WIDTH))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2, self.attention = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH), Attention()
            self.wide, self.narrow = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            return x + self.narrow(functional.gelu(self.wide(self.norm2(x))))

    class CharTransformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.characters, self.places = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(LENGTH, WIDTH)
            self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
            self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY)

        def forward(self, x):
            x = self.characters(x) + self.places(torch.arange(LENGTH))
            return self.head(self.norm(self.blocks(x))).transpose(1, 2)

    models = {
        "cnn": lambda: nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10)),
        "mlp": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)),
        "heavy": lambda: nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
            nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)),
        "char": CharTransformer,
    }
    model = models[MODEL]()
    inputs, labels = (torch.from_numpy(part) for part in data())
    if inputs.dim() == 4:
        inputs = inputs.permute(0, 3, 1, 2).contiguous()
        if is_best:
            model = model.to(memory_format=torch.channels_last)
            inputs = inputs.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, **({"fused": True} if is_best else {}))
    if trains is not None:
        return trains(model, optimizer, inputs, labels)
    count = [0]

    def run():
        for _ in range(STEPS):
            start = count[0] % BATCHES * BATCH
            count[0] += 1
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(inputs[start:start + BATCH]), labels[start:start + BATCH])
            loss.backward()
            optimizer.step()

    return run


def accelhydra(model, optimizer, inputs, labels):
    """AccelHydra's order of an epoch: its trainer is not installed here, so that this is no measurement of its own code."""
    import torch
    from accelerate import Accelerator
    from torch.utils.data import DataLoader, TensorDataset

    every, most = 50, 2.0
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=1)
    loader = DataLoader(TensorDataset(inputs, labels), batch_size=BATCH, shuffle=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    state = {"step": 0, "batches": iter(loader)}

    def next_batch():
        try:
            return next(state["batches"])
        except StopIteration:
            state["batches"] = iter(loader)
            return next(state["batches"])

    def run():
        model.train()
        for _ in range(STEPS):
            batch, labels = next_batch()
            with accelerator.accumulate(model):
                loss = torch.nn.functional.cross_entropy(model(batch), labels)
                if state["step"] % every == 0:
                    accelerator.log({"train/loss": loss.item()}, step=state["step"])
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    norm = accelerator.clip_grad_norm_(model.parameters(), most)
                    if state["step"] % every == 0:
                        accelerator.log({"train/grad_norm": norm.item()}, step=state["step"])
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
            state["step"] += 1

    return run


def keras_fit():
    import numpy
    import keras
    import tensorflow
    from keras import layers

    tensorflow.config.threading.set_intra_op_parallelism_threads(THREADS)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)

    def transformer():
        start = keras.Input((LENGTH,), dtype="int32")
        places = layers.Embedding(LENGTH, WIDTH)(keras.ops.arange(LENGTH))
        x = layers.Embedding(VOCABULARY, WIDTH)(start) + places
        for _ in range(LAYERS):
            seen = layers.LayerNormalization(epsilon=1e-5)(x)
            x = x + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(seen, seen, use_causal_mask=True)
            wide = layers.Dense(4 * WIDTH, activation="gelu")(layers.LayerNormalization(epsilon=1e-5)(x))
            x = x + layers.Dense(WIDTH)(wide)
        return keras.Model(start, layers.Dense(VOCABULARY)(layers.LayerNormalization(epsilon=1e-5)(x)))

    image = keras.Input((28, 28, 1))
    models = {
        "cnn": lambda: keras.Sequential([
            image, layers.Conv2D(8, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10)]),
        "mlp": lambda: keras.Sequential([
            image, layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)]),
        "heavy": lambda: keras.Sequential([
            image, layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Dropout(0.25), layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.5), layers.Dense(10)]),
        "char": transformer,
    }
    model = models[MODEL]()
    model.compile(
        optimizer=keras.optimizers.Adam(RATE), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    inputs, labels = data()
    rows = STEPS * BATCH
    inputs, labels = (numpy.resize(part, (rows, *part.shape[1:])) for part in (inputs, labels))
    return lambda: model.fit(inputs, labels, batch_size=BATCH, epochs=1, shuffle=False, verbose=0)


def main():
    try:
        run = keras_fit() if SIDE == "keras" else pytorch(SIDE == "best", accelhydra if SIDE == "accelhydra" else None)
    except ImportError as error:
        print(f"missing {sys.executable}: {error}", flush=True)
        return
    print("ready", flush=True)
    for _ in sys.stdin:
        started, used = time.perf_counter(), time.process_time()
        run()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - used
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(f"slice {seconds} {cpu_seconds} {peak}", flush=True)


main()
