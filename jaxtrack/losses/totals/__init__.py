"""One function a tracker: from raw maps, true boxes and labels to a scalar.

Everything is a mean over the examples of all devices. A count is summed over
`axis_name` before anything is divided by it, and each device returns its own sum over
that count. So the loss of the whole batch is the *sum* of what the devices return, and
so is its gradient: a training step applies `lax.psum` to both, never `lax.pmean`.
"""

from jaxtrack.losses.totals.cract import cract_loss
from jaxtrack.losses.totals.siamcar import siamcar_loss
from jaxtrack.losses.totals.siamfcpp import siamfcpp_loss
from jaxtrack.losses.totals.siamla import LabelRule, siamla_loss
from jaxtrack.losses.totals.siamrpnpp import siamrpnpp_loss

__all__ = [
    "LabelRule",
    "cract_loss",
    "siamcar_loss",
    "siamfcpp_loss",
    "siamla_loss",
    "siamrpnpp_loss",
]
