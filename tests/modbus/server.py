"""A meter that answers to Modbus as unit 1, and to nobody else: server.py tcp PORT, or server.py rtu DEVICE."""

import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartSerialServer, StartTcpServer

# From address 0 on: 230.5 V in tenths, -10, 230.5 as a number of 32 bits, 70000 with its registers the other way round, no value.
HOLDING = [2305, 0xFFF6, 0x4366, 0x8000, 70000 & 0xFFFF, 70000 >> 16, 0xFFFF]

meter = ModbusDeviceContext(
    hr=ModbusSequentialDataBlock(1, HOLDING),
    ir=ModbusSequentialDataBlock(1, [4711]),
    co=ModbusSequentialDataBlock(1, [True]),
    di=ModbusSequentialDataBlock(1, [False, True]),
)
context = ModbusServerContext(devices={1: meter}, single=False)
kind, where = sys.argv[1:]
if kind == "tcp":
    StartTcpServer(context, address=("127.0.0.1", int(where)), ignore_missing_devices=True)
else:
    StartSerialServer(context, port=where, baudrate=9600, parity="N", ignore_missing_devices=True)
