package moe.engine.metrics;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import moe.spi.error.MoeException;

/// The content of a `metrics.csv`.
///
/// @param columns their names
/// @param rows one per step; each cell a number or empty
public record MetricsTable(List<String> columns, List<List<OptionalDouble>> rows) {
  public MetricsTable {
    columns = List.copyOf(columns);
    rows = List.copyOf(rows);
  }

  /// Reads a file; a torn last line is left out.
  ///
  /// @throws MoeException kind `DATA` if its columns are not those of this engine, or a cell is
  ///   neither empty nor a number
  public static MetricsTable read(Path csv) {
    var rows = new ArrayList<List<OptionalDouble>>();
    var header = new ArrayList<String>();
    LineFile.read(
        csv,
        (place, line, _) -> {
          List<String> cells = List.of(line.split(",", -1));
          if (header.isEmpty()) {
            header.addAll(cells);
            if (!header.equals(MetricsCsv.header())) {
              throw JsonIn.damaged(place, "expected the columns " + MetricsCsv.headerLine(), null);
            }
          } else {
            rows.add(row(place, cells, header));
          }
          return true;
        });
    return new MetricsTable(header, rows);
  }

  private static List<OptionalDouble> row(String place, List<String> cells, List<String> header) {
    if (cells.size() != header.size()) {
      throw JsonIn.damaged(
          place, "%d cells where %d columns are".formatted(cells.size(), header.size()), null);
    }
    var row = new ArrayList<OptionalDouble>();
    for (int i = 0; i < cells.size(); i++) {
      row.add(number(place, header.get(i), cells.get(i)));
    }
    return row;
  }

  private static OptionalDouble number(String place, String column, String cell) {
    try {
      return cell.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(cell));
    } catch (NumberFormatException e) {
      throw JsonIn.damaged(place, column + ": expected a number or nothing", e);
    }
  }

  /// The cells of a column.
  public List<OptionalDouble> column(String name) {
    int index = columns.indexOf(name);
    if (index < 0) {
      throw new IllegalArgumentException("no column " + name);
    }
    return rows.stream().map(row -> row.get(index)).toList();
  }
}
