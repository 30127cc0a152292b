"""What a file from elsewhere may ask of this machine. Every limit of the tool stands here, with its reason.

All are far above what a real file needs and far below what hurts: whoever meets one has a file that is something else.
The checks run before anything of the stated size is allocated; the bounds of the reading process (`confined`) stand
behind them for what nobody thought of.
"""

from __future__ import annotations

MIB = 1 << 20
GIB = 1 << 30

# Text that a person writes: recipes, plans, concerns, mappings of classes, manifests (a real one has some kB).
MOST_TEXT_BYTES = 16 * MIB
# Label and prediction tables: a row of a million pictures has about 200 bytes.
MOST_TABLE_BYTES = GIB
# A picture file; the page's own limit is 64 MiB, archives hold some larger ones (whole-body photos as TIFF).
MOST_PICTURE_BYTES = 512 * MIB
# A network's file or a checkpoint: the largest that is trained here has 60 MB, with the optimizer's state 250 MB.
MOST_NETWORK_BYTES = 4 * GIB

# A class index is a few hundred bytes; the widest set of skin conditions that is published names about 400.
MOST_CLASS_INDEX_BYTES = 1_000_000
MOST_CLASSES = 2_000
MOST_NAME = 200  # characters of one name

# A model's description: that of NASNetLarge, the longest of keras.applications, has 1.3 MB and 1,040 layers, about ten
# levels a nested model.
MOST_CONFIG_BYTES = 8_000_000
MOST_CONFIG_DEPTH = 100
MOST_LAYERS = 4_000
# Keras' weights: ConvNeXtXLarge, the largest of keras.applications, has 350 million (1.4 GB as float32). A file may
# hold them three times, with the optimizer's state, which is not read.
MOST_WEIGHT_BYTES = 2 * GIB
MOST_KERAS_BYTES = 6 * GIB
MOST_HDF5_PARTS = 50_000  # groups and datasets: about four a layer
MOST_HDF5_DEPTH = 50
MOST_ATTRIBUTE_BYTES = MIB  # one attribute of a part: names of layers and weights
# A .keras archive has three members, and some more where a model brings assets; its directory is read as a whole.
MOST_MEMBERS = 1_000
MOST_DIRECTORY_BYTES = MIB

# Least and most of a layer's numbers. Networks for pictures of at most 1024 pixels have kernels of up to 31, strides of
# up to 32 and up to 10,000 units; a Reshape may name as many numbers as a whole feature map has.
LAYER_NUMBERS = {
    "units": (1, 1 << 17),
    "filters": (1, 1 << 17),
    "groups": (-1, 1 << 17),
    "depth_multiplier": (1, 1 << 10),
    "kernel_size": (1, 1 << 10),
    "pool_size": (1, 1 << 10),
    "strides": (1, 1 << 10),
    "dilation_rate": (1, 1 << 10),
    "size": (1, 1 << 6),
    "padding": (0, 1 << 10),
    "cropping": (0, 1 << 10),
    "height": (1, 1 << 10),
    "width": (1, 1 << 10),
    "output_shape": (1, 1 << 17),
    "target_shape": (-1, 1 << 26),
    "batch_shape": (1, 1 << 17),
    "batch_input_shape": (1, 1 << 17),
}
# Numbers in what one layer gives for one picture: VGG's first has 64 x 224 x 224 = 3.2 million, at 1024 pixels 67.
MOST_VALUES_OF_A_LAYER = 1 << 27

# The reading process. Python with torch, Keras and ONNX Runtime takes 2 to 4 GiB of address space on a CPU and up to 8
# with a GPU's libraries; loading, export and comparison hold the weights up to eight times for a moment.
ADDRESS_SPACE = 12 * GIB
ADDRESS_SPACE_A_BYTE = 8
# VGG16, the slowest common network, takes two minutes of a processor; other work may share the machine.
CPU_MINUTES = 20.0
WALL_A_CPU = 2.0  # wall time for each unit of processor time
# The largest file that it may write: the weights as ONNX.
WRITTEN_BYTES = 4 * GIB
