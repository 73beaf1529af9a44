package moe.cli;

import moe.spi.device.Compute;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Reads the name of a format of matrix products.
final class ComputeName implements ITypeConverter<Compute> {
  ComputeName() {}

  @Override
  public Compute convert(String value) {
    for (Compute compute : Compute.values()) {
      if (compute.key().equals(value)) {
        return compute;
      }
    }
    throw new TypeConversionException("%s: must be auto, f32, tf32, bf16 or f16".formatted(value));
  }
}
