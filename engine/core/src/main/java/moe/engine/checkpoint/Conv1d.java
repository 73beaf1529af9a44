package moe.engine.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;
import moe.spi.device.Shape;

/// The matrices that GPT-2 stores as `[in, out]`, against the `[out, in]` of all others.
public final class Conv1d {
  private static final Set<String> MATRICES =
      Set.of("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight");
  // Both sides of a tile stay in the first cache.
  private static final long TILE = 32;

  /// Whether the parameter of this name is stored transposed.
  ///
  /// @param name for example `transformer.h.0.attn.c_attn.weight`
  public static boolean isTransposed(String name) {
    int layer = name.indexOf("h.");
    int part = layer < 0 ? -1 : name.indexOf('.', layer + 2);
    return part >= 0 && MATRICES.contains(name.substring(part + 1));
  }

  /// The shape in a checkpoint of a parameter with this shape in the engine.
  public static Shape stored(String name, Shape shape) {
    return isTransposed(name) ? Shape.of(shape.dim(1), shape.dim(0)) : shape;
  }

  /// Writes `[rows, columns]` as `[columns, rows]`.
  public static void transpose(
      MemorySegment source, MemorySegment target, long rows, long columns) {
    for (long row = 0; row < rows; row += TILE) {
      for (long column = 0; column < columns; column += TILE) {
        long lastRow = Math.min(rows, row + TILE);
        long lastColumn = Math.min(columns, column + TILE);
        for (long r = row; r < lastRow; r++) {
          for (long c = column; c < lastColumn; c++) {
            target.setAtIndex(
                ValueLayout.JAVA_FLOAT,
                c * rows + r,
                source.getAtIndex(ValueLayout.JAVA_FLOAT, r * columns + c));
          }
        }
      }
    }
  }

  private Conv1d() {}
}
