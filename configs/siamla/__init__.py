"""The ablations of SiamLA, one row of a table each, as the paper trains them.

Paper: Nie et al., SiamLA, Tables III to VI: ResNet-50, trained on GOT-10k alone.
Run: jaxtrack train --config=siamla/r50_table3_ladl --workdir=runs/table3_ladl \
         --config.model.pretrained=resnet50.model \
         --config.data.records=packed/got10k \
         --config.data.composed_weight=0
Cost, score: not trained here.
Differs: each is `siamla_r50_got10k` with one or two changes. Schedule and selection of
    the baseline are not stated: here they are those of the other rows.
"""
