package moe.backend.cpu.kernel;

import java.util.Arrays;

/// Grouped rows cut into blocks of limited height, each within one group.
///
/// Where the cuts lie depends on the offsets alone, never on the number of threads: sums that run
/// over the rows of a block have the same bits on every machine. Each block takes a number of
/// panels in a packed copy of the rows, where blocks lie one behind the other.
final class RowBlocks {
  private final int maxRows;
  private final int rowsPerPanel;
  private final int mostOfTail;
  private final int tailsBelow;
  private int[] first = new int[8];
  private int[] rows = new int[8];
  private int[] group = new int[8];
  private int[] tail = new int[8];
  private int[] panelsBefore = new int[9];
  private int[] place = new int[9];
  private int size;

  /// @param maxRows the height of a block
  /// @param rowsPerPanel rows that share a panel
  RowBlocks(int maxRows, int rowsPerPanel) {
    this(maxRows, rowsPerPanel, 0, 0);
  }

  /// @param maxRows the height of a block
  /// @param rowsPerPanel rows that share a panel
  /// @param mostOfTail the most rows that may stay outside of panels, at the end of a block
  /// @param tailsBelow only blocks with fewer rows have tails
  RowBlocks(int maxRows, int rowsPerPanel, int mostOfTail, int tailsBelow) {
    this.maxRows = maxRows;
    this.rowsPerPanel = rowsPerPanel;
    this.mostOfTail = mostOfTail;
    this.tailsBelow = tailsBelow;
  }

  /// Cuts the rows `offsets[g]` to `offsets[g + 1] − 1` of each group; empty groups have no block.
  void cut(Ints offsets, int groups) {
    size = 0;
    for (int g = 0; g < groups; g++) {
      int end = offsets.get(g + 1);
      if (offsets.get(g) > end) {
        throw new IllegalArgumentException("offsets must not descend, at group " + g);
      }
      int rows = offsets.get(g + 1) - offsets.get(g);
      // Blocks of a group are about equal: a short last one would pay for its packing alone.
      int blocks = Math.ceilDiv(rows, maxRows);
      int height = blocks == 0 ? 1 : roundUp(Math.ceilDiv(rows, blocks));
      for (int row = 0; row < rows; row += height) {
        append(g, offsets.get(g) + row, Math.min(height, rows - row));
      }
    }
  }

  private int roundUp(int rows) {
    return Math.ceilDiv(rows, rowsPerPanel) * rowsPerPanel;
  }

  private void append(int blockGroup, int firstRow, int blockRows) {
    if (size == first.length) {
      first = Arrays.copyOf(first, 2 * size);
      rows = Arrays.copyOf(rows, 2 * size);
      group = Arrays.copyOf(group, 2 * size);
      tail = Arrays.copyOf(tail, 2 * size);
      panelsBefore = Arrays.copyOf(panelsBefore, 2 * size + 1);
      place = Arrays.copyOf(place, 2 * size + 1);
    }
    first[size] = firstRow;
    rows[size] = blockRows;
    group[size] = blockGroup;
    // Panels are used two by two: what fills less of a pair stays outside.
    int rest = blockRows % (2 * rowsPerPanel);
    tail[size] = blockRows < tailsBelow && rest <= mostOfTail ? rest : 0;
    int panels = Math.ceilDiv(blockRows - tail[size], rowsPerPanel);
    panelsBefore[size + 1] = panelsBefore[size] + panels;
    place[size + 1] = place[size] + panels * rowsPerPanel + tail[size];
    size++;
  }

  int size() {
    return size;
  }

  int first(int block) {
    return first[block];
  }

  int rows(int block) {
    return rows[block];
  }

  /// Rows at the end of a block that are in no panel.
  int tail(int block) {
    return tail[block];
  }

  int group(int block) {
    return group[block];
  }

  /// Panels of all blocks before this one.
  int panelsBefore(int block) {
    return panelsBefore[block];
  }

  /// Rows before this block, or all with `size()`, where each block is its panels, filled up, and
  /// then its tail.
  int place(int block) {
    return place[block];
  }

  /// Where row r of a block's tail lies in the same order.
  int placeOfTail(int block, int r) {
    return place[block + 1] - tail[block] + r;
  }

  /// Panels of this block.
  int panels(int block) {
    return panelsBefore[block + 1] - panelsBefore[block];
  }

  /// The end of the longest run of blocks from `from` on, at least one, with at most `limit`
  /// panels.
  int wave(int from, int limit) {
    int end = from + 1;
    while (end < size && panelsBefore[end + 1] - panelsBefore[from] <= limit) {
      end++;
    }
    return end;
  }

  /// The end of the run of blocks of the same group as `from`, not beyond `limit`.
  int endOfGroup(int from, int limit) {
    int end = from + 1;
    while (end < limit && group[end] == group[from]) {
      end++;
    }
    return end;
  }
}
