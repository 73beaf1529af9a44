package moe.backend.opencl.kernel;

import com.aparapi.Config;
import com.aparapi.Kernel;
import com.aparapi.internal.exception.AparapiException;
import com.aparapi.internal.model.ClassModel;
import com.aparapi.internal.model.Entrypoint;
import com.aparapi.internal.writer.KernelWriter;
import java.lang.reflect.Field;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/// A kernel written in Java, as OpenCL C: Aparapi reads the bytecode of `run` and writes source.
/// Nothing else of Aparapi is used, so that it can never fall back to threads of the JVM.
///
/// @param source OpenCL C
/// @param arguments the position of each field among the arguments of the function
record Translation(String source, Map<String, Integer> arguments) {
  /// The name that Aparapi gives the function.
  static final String FUNCTION = "run";

  /// Kept here, else it would be collected with its level: Aparapi warns of every attribute of a
  /// class file that it does not know, such as the names of parameters.
  private static final Logger LOG = Logger.getLogger(Config.getLoggerName());

  static {
    LOG.setLevel(Level.SEVERE);
  }

  private static final Map<Class<?>, Translation> KNOWN = new ConcurrentHashMap<>();

  Translation {
    arguments = Map.copyOf(arguments);
  }

  /// The translation of a class, made once.
  ///
  /// @throws IllegalStateException if Aparapi cannot translate it: a mistake in the class
  static Translation of(Kernel kernel) {
    return KNOWN.computeIfAbsent(kernel.getClass(), _ -> translate(kernel));
  }

  private static Translation translate(Kernel kernel) {
    try {
      Entrypoint entry =
          ClassModel.createClassModel(kernel.getClass()).getEntrypoint(FUNCTION, kernel);
      String source = KernelWriter.writeToString(entry);
      List<Field> fields = entry.getReferencedFields();
      Map<String, Integer> arguments = new HashMap<>();
      for (int i = 0; i < fields.size(); i++) {
        arguments.put(fields.get(i).getName(), i);
      }
      // The last argument counts passes, of which there is one.
      arguments.put("passid", fields.size());
      return new Translation(source, arguments);
    } catch (AparapiException e) {
      throw new IllegalStateException("Aparapi cannot translate " + kernel.getClass(), e);
    }
  }
}
