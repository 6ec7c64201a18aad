from fencelab_guard import bmc_emulator

bmc_emulator()
