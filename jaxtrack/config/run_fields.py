"""The settings of the optimizer and the run, a part of `config.fields`."""

from jaxtrack.config.field import Field

# fmt: off
RUN_FIELDS = (
    # Optimizer.
    Field("optimizer.kind", "sgd",
          'The optimizer; "lars" and "lamb" are meant for batches of thousands.',
          choices=("sgd", "adamw", "lars", "lamb")),
    Field("optimizer.schedule", "log",
          'Decay of the rate after warm-up: linear in "log" space, or "cosine".',
          choices=("log", "cosine")),
    Field("optimizer.lr_warmup", 0.001, "Learning rate at step 0.", above=0),
    Field("optimizer.lr", 0.005,
          "Learning rate after warm-up, at batch size `optimizer.reference_batch`.",
          above=0),
    Field("optimizer.lr_end", 0.0005,
          "Learning rate at the last step, for the same batch size.", above=0),
    Field("optimizer.lr_scaling", "none",
          "How the rates scale with `run.batch_size` / `optimizer.reference_batch`;"
          " warm-up still starts at `optimizer.lr_warmup` or below.",
          choices=("none", "linear", "sqrt")),
    Field("optimizer.reference_batch", 80,
          "Batch size for which `optimizer.lr` was chosen.", above=0),
    Field("optimizer.warmup_epochs", 5.0, "Length of the warm-up.", unit="epochs",
          least=0),
    Field("optimizer.backbone_from_epoch", 10.0,
          "Epoch from which the backbone is trained.", unit="epochs", least=0),
    Field("optimizer.backbone_lr_factor", 0.1,
          "Factor on the backbone's learning rate.", least=0),
    Field("optimizer.momentum", 0.9,
          "Momentum of SGD and LARS, or b1 of AdamW and LAMB.", within=(0, 1)),
    Field("optimizer.adam_b2", 0.999, "b2 of AdamW and LAMB.", within=(0, 1)),
    Field("optimizer.weight_decay", 0.0001, "Weight decay.", least=0),
    Field("optimizer.stochastic_depth", 0.0,
          "Stochastic depth: probability that a pair skips a block of an EfficientNet"
          " backbone while it trains.", within=(0, 0.9)),
    Field("optimizer.feature_dropout", 0.0,
          "Dropout of whole channels of the features of template and search crop, the"
          " same in both.", within=(0, 0.9)),
    Field("optimizer.clip_norm", 10.0,
          "Clips the global norm of the gradient.", above=0),
    Field("optimizer.ema_decay", 0.0,
          "Decay of the moving average of the parameters, with which tracking runs; 0"
          " keeps no average.",
          within=(0, 1)),
    # Run.
    Field("run.seed", 0, "Seed of initialization, data and sampling.", least=0),
    Field("run.head_init", "released",
          "Initialization of everything behind the backbone: as in the tracker's public"
          ' code, or ("kaiming", SiamDLA) He et al. with all biases 0 (D15).',
          choices=("released", "kaiming")),
    Field("run.batch_size", 80,
          "Pairs per optimizer step, over all devices and accumulation steps.",
          above=0),
    Field("run.accumulate", 1,
          "Gradient accumulation: parts into which each device's share of the batch is"
          " split.", above=0),
    Field("run.batch_norm", "all",
          "Pairs over which batch normalization computes its statistics in training:"
          ' "all" that the devices process at once, "groups" of `run.batch_norm_group`,'
          ' or none ("frozen": the running statistics are used).',
          choices=("all", "groups", "frozen")),
    Field("run.batch_norm_group", 16,
          '"groups": pairs per group. If it divides the pairs that a device processes'
          " at once, the result depends neither on the number of devices nor on"
          " `run.accumulate`.", above=0),
    Field("run.remat", False,
          "Compute the blocks of the backbone again in the backward pass instead of"
          " storing their activations: less memory, more time."),
    Field("run.num_epochs", 20, "Length of the training.", unit="epochs", above=0),
    Field("run.minutes", 0.0,
          "Time limit of the training, including compilation, if it is reached before"
          " `run.num_epochs`; the whole schedule then fits into it. 0 is no limit.",
          unit="min", least=0),
    Field("run.pairs_per_epoch", 600_000, "Pairs per epoch.", above=0),
    Field("run.loggers", ("tensorboard",),
          'Loggers besides log.jsonl: "tensorboard" (skipped if not installed), "wandb"'
          " (Weights & Biases).", choices=("tensorboard", "wandb")),
    Field("run.log_every", 20, "Steps between log lines.", unit="steps", above=0),
    Field("run.checkpoint_every", 1000, "Steps between checkpoints.", unit="steps",
          above=0),
    Field("run.keep_every", 0,
          "Keep every checkpoint at a multiple of this; 0 keeps only the latest.",
          unit="steps", least=0),
    Field("run.keep_latest", 2, "How many of the latest checkpoints to keep.", above=0),
)
# fmt: on
