package moe.cli;

import java.util.ArrayList;
import java.util.List;

/// Columns of text, as wide as their widest cell; numbers stand to the right.
final class TextTable {
  private final List<String[]> rows = new ArrayList<>();
  private final int[] widths;

  TextTable(String... header) {
    widths = new int[header.length];
    row(header);
  }

  /// Adds a row with a cell for each column.
  TextTable row(String... cells) {
    if (cells.length != widths.length) {
      throw new IllegalArgumentException(
          "%d cells in a table of %d columns".formatted(cells.length, widths.length));
    }
    for (int i = 0; i < cells.length; i++) {
      widths[i] = Math.max(widths[i], cells[i].length());
    }
    rows.add(cells.clone());
    return this;
  }

  /// All rows, each with its line end.
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder();
    for (String[] cells : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < cells.length; i++) {
        String gap = " ".repeat(widths[i] - cells[i].length());
        boolean right = column(i);
        line.append(i == 0 ? "" : "  ").append(right ? gap + cells[i] : cells[i] + gap);
      }
      out.append(line.toString().stripTrailing()).append(System.lineSeparator());
    }
    return out.toString();
  }

  private boolean column(int index) {
    return rows.stream()
        .skip(1)
        .map(cells -> cells[index])
        .allMatch(cell -> cell.matches("[-+0-9.,eE%]+"));
  }
}
