package moe.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moe.spi.device.Activation;
import moe.spi.device.Tensor;
import org.jspecify.annotations.Nullable;

/// One call of a kernel: its shape and arguments. A stream has one and fills it again for each
/// call, so that a call allocates nothing.
public final class Launch {
  private static final int MOST_ARGUMENTS = 32;
  private static final int MOST_STRUCT_BYTES = 256;
  private static final int MAPS = 2;
  private static final int MOST_OVERLAPPING = 8;

  private final Device device;
  private final Driver.Handle stream;
  private final MemorySegment values;
  private final MemorySegment struct;
  private final MemorySegment pointers;
  private final MemorySegment structPointer;
  private final TensorMap map;
  private final MemorySegment[] maps = new MemorySegment[MAPS];
  private final MemorySegment mapPointers;
  private final Configuration configuration;
  private final char[] kinds = new char[MOST_ARGUMENTS];
  private @Nullable Kernel kernel;
  private int count;
  private long structBytes;
  private long gridX;
  private long gridY;
  private long gridZ;
  private int blockX;
  private int blockY;
  private int sharedBytes;
  private boolean dependent;
  private boolean wroteWeights;
  private long call;

  Launch(Device device, Driver.Handle stream, Arena arena) {
    this.device = device;
    this.stream = stream;
    this.values = arena.allocate((long) MOST_ARGUMENTS * Long.BYTES, Long.BYTES);
    this.struct = arena.allocate(MOST_STRUCT_BYTES, 64);
    this.pointers = arena.allocate(ADDRESS, MOST_ARGUMENTS);
    this.structPointer = arena.allocateFrom(ADDRESS, struct);
    this.map = new TensorMap(arena);
    this.mapPointers = arena.allocate(ADDRESS, MAPS + 1L);
    for (int i = 0; i < MAPS; i++) {
      maps[i] = arena.allocate(TensorMap.BYTES, 64);
      mapPointers.setAtIndex(ADDRESS, i, maps[i]);
    }
    mapPointers.setAtIndex(ADDRESS, MAPS, struct);
    this.configuration = new Configuration(arena);
    for (int i = 0; i < MOST_ARGUMENTS; i++) {
      pointers.setAtIndex(ADDRESS, i, values.asSlice((long) i * Long.BYTES));
    }
  }

  /// Begins a call of a kernel in blocks of one dimension.
  Launch of(Kernel wanted, int block, long x, long y, long z) {
    kernel = wanted;
    call++;
    count = 0;
    gridX = x;
    gridY = y;
    gridZ = z;
    blockX = block;
    blockY = 1;
    sharedBytes = 0;
    dependent = false;
    return this;
  }

  /// Lets the kernel start before its predecessor has ended: it waits itself, before it reads or
  /// writes what others do. Weights it may read before, so this has no effect right after a call
  /// that `wroteWeights`.
  public Launch dependent() {
    dependent = !wroteWeights && device.overlapsKernels();
    return this;
  }

  /// Whether no call that may still run when this one starts writes a tensor: kernels that let
  /// their successor start at once are few in a row.
  public boolean isOld(Tensor tensor) {
    return call - CudaTensor.of(tensor).lastWrite() > MOST_OVERLAPPING;
  }

  /// Notes that the last call wrote weights.
  void wroteWeights() {
    wroteWeights = true;
  }

  /// Makes the blocks two-dimensional.
  public Launch blockRows(int rows) {
    blockY = rows;
    return this;
  }

  /// Dynamic shared memory.
  public Launch shared(int bytes) {
    sharedBytes = bytes;
    return this;
  }

  /// The address of a tensor's first element; null for none. The kernel may write it.
  public Launch tensor(@Nullable Tensor tensor) {
    return address(tensor == null ? 0 : settled(tensor).writable(call));
  }

  private CudaTensor settled(Tensor tensor) {
    return CudaTensor.of(tensor).settle(device, stream);
  }

  /// Notes a tensor that the kernel may write and finds by itself.
  void writes(Tensor tensor) {
    settled(tensor).writable(call);
  }

  /// The address of a tensor that the kernel only reads; null for none.
  public Launch reads(@Nullable Tensor tensor) {
    return address(tensor == null ? 0 : settled(tensor).address());
  }

  /// An address on the device.
  Launch address(long value) {
    values.set(JAVA_LONG, next('p'), value);
    return this;
  }

  /// An `int`.
  public Launch number(long value) {
    values.set(JAVA_INT, next('i'), Math.toIntExact(value));
    return this;
  }

  /// An activation, by its number in `numeric.cuh`.
  public Launch activation(Activation activation) {
    return number(Kernel.code(activation));
  }

  /// An `int64_t`.
  public Launch wide(long value) {
    values.set(JAVA_LONG, next('l'), value);
    return this;
  }

  /// A `float`.
  public Launch real(float value) {
    values.set(JAVA_FLOAT, next('f'), value);
    return this;
  }

  /// A `double`.
  public Launch exact(double value) {
    values.set(JAVA_DOUBLE, next('d'), value);
    return this;
  }

  /// A matrix of 16 bits by rows, for the copy engine, in boxes of 64 columns.
  ///
  /// @param stride from row to row, in elements, a multiple of 8
  Launch matrix(long address, long columns, long rows, long stride, int boxRows) {
    return describe(map.matrix(address, columns, rows, stride, boxRows));
  }

  /// A matrix of float32 by rows, for the copy engine, in boxes of 32 columns rounded to TF32.
  Launch floats(long address, long columns, long rows, int boxRows) {
    return describe(map.floats(address, columns, rows, boxRows));
  }

  /// Two such matrices as one that takes turns of 8 rows of each.
  ///
  /// @param apart bytes from the first to the second
  Launch turns(long address, long apart, long columns, long rows) {
    return describe(map.turns(address, apart, columns, rows));
  }

  private Launch describe(TensorMap filled) {
    device.driver().describe(filled, nextMap());
    return this;
  }

  /// Goes on with a tensor map and returns the memory for its encoded form.
  MemorySegment nextMap() {
    next('m');
    return maps[count - 1];
  }

  /// Begins the last argument, a struct by value, with pointers; null for none. The kernel may
  /// write what they point to.
  public Launch pointers(@Nullable Tensor... tensors) {
    next('s');
    structBytes = 0;
    for (Tensor tensor : tensors) {
      pointer(tensor == null ? 0 : settled(tensor).writable(call));
    }
    return this;
  }

  /// Goes on with a pointer to a tensor that the kernel only reads; null for none.
  Launch pointer(@Nullable Tensor tensor) {
    return pointer(tensor == null ? 0 : settled(tensor).address());
  }

  /// Goes on with the struct's pointers.
  Launch pointer(long address) {
    struct.set(JAVA_LONG, structBytes, address);
    structBytes += Long.BYTES;
    return this;
  }

  /// Goes on with the struct's `int` fields.
  public Launch numbers(int... numbers) {
    for (int number : numbers) {
      struct.set(JAVA_INT, structBytes, number);
      structBytes += Integer.BYTES;
    }
    return this;
  }

  /// Issues the call; nothing if there is no block.
  public void run() {
    if (gridX > 0 && gridY > 0 && gridZ > 0 && kernel != null) {
      device.launch(kernel, this, stream);
      wroteWeights = false;
    }
  }

  private long next(char kind) {
    kinds[count] = kind;
    return (long) count++ * Long.BYTES;
  }

  @Override
  public String toString() {
    return "%s, grid %d x %d x %d, block %d x %d, %d bytes shared"
        .formatted(
            kernel == null ? "no kernel" : kernel.name(),
            gridX,
            gridY,
            gridZ,
            blockX,
            blockY,
            sharedBytes);
  }

  @Nullable Kernel kernel() {
    return kernel;
  }

  /// The addresses of the arguments.
  MemorySegment arguments() {
    return switch (kinds[0]) {
      case 's' -> structPointer;
      case 'm' -> mapPointers;
      default -> pointers;
    };
  }

  /// The shape of the call as `cuLaunchKernelEx` reads it.
  MemorySegment configuration(long onStream) {
    return configuration.of(this, onStream);
  }

  boolean isDependent() {
    return dependent;
  }

  /// The types of the arguments: p pointer, i int, l int64, f float, d double, m tensor map, s
  /// struct.
  String kinds() {
    return new String(kinds, 0, count);
  }

  /// Blocks in a dimension.
  int grid(int dimension) {
    return Math.toIntExact(dimension == 0 ? gridX : dimension == 1 ? gridY : gridZ);
  }

  /// Threads of a block in a dimension.
  int block(int dimension) {
    return dimension == 0 ? blockX : dimension == 1 ? blockY : 1;
  }

  int sharedBytes() {
    return sharedBytes;
  }
}
