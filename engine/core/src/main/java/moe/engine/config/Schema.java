package moe.engine.config;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import moe.spi.stage.Options;

/// All sections and keys, as the records of `PipelineConfig` describe them.
final class Schema {
  /// The one schema there is.
  static final Schema PIPELINE = new Schema();

  /// A section.
  ///
  /// @param open whether stages may bring keys of their own
  record SectionSpec(String name, String summary, Class<?> type, List<KeySpec> keys, boolean open) {
    List<String> keyNames() {
      return keys.stream().map(KeySpec::name).toList();
    }

    Optional<KeySpec> key(String key) {
      return keys.stream().filter(spec -> spec.name().equals(key)).findFirst();
    }
  }

  private final List<SectionSpec> sections;

  private Schema() {
    List<SectionSpec> found = new ArrayList<>();
    for (RecordComponent component : PipelineConfig.class.getRecordComponents()) {
      Section section = component.getType().getAnnotation(Section.class);
      if (section != null) {
        found.add(section(component, section));
      }
    }
    sections = List.copyOf(found);
  }

  List<SectionSpec> sections() {
    return sections;
  }

  List<String> sectionNames() {
    return sections.stream().map(SectionSpec::name).toList();
  }

  Optional<SectionSpec> section(String name) {
    return sections.stream().filter(section -> section.name().equals(name)).findFirst();
  }

  /// The defaults of all keys, by `section.key`.
  Map<String, Object> defaults() {
    Map<String, Object> values = new LinkedHashMap<>();
    for (SectionSpec section : sections) {
      for (KeySpec key : section.keys()) {
        values.put(section.name() + "." + key.name(), Values.absent(key));
      }
    }
    return values;
  }

  /// The sections of a configuration without any key.
  List<Record> defaultRecords() {
    Map<String, Object> values = defaults();
    return sections.stream().map(section -> build(section, values, Options.NONE)).toList();
  }

  /// The record of one section.
  ///
  /// @param values all keys, by `section.key`
  /// @param options the further keys of a stage
  Record build(SectionSpec section, Map<String, Object> values, Options options) {
    List<Object> arguments = new ArrayList<>();
    for (KeySpec key : section.keys()) {
      arguments.add(values.get(section.name() + "." + key.name()));
    }
    if (section.open()) {
      arguments.add(options);
    }
    return (Record) construct(section.type(), arguments);
  }

  /// The configuration of these sections.
  PipelineConfig config(List<Record> records, Set<String> given) {
    List<Object> arguments = new ArrayList<>(records);
    arguments.add(given);
    return (PipelineConfig) construct(PipelineConfig.class, arguments);
  }

  /// The values of a section's keys, by name and in their order, without a stage's own.
  Map<String, Object> values(Record section) {
    Map<String, Object> values = new LinkedHashMap<>();
    List<KeySpec> keys = section(section.getClass()).keys();
    RecordComponent[] components = section.getClass().getRecordComponents();
    for (int i = 0; i < keys.size(); i++) {
      values.put(keys.get(i).name(), get(components[i], section));
    }
    return values;
  }

  /// All settings of a stage's section but its type, as TOML types.
  Options settings(StageSection section) {
    Map<String, Object> settings = new LinkedHashMap<>(section.options().values());
    values((Record) section).forEach((key, value) -> settings.put(key, Values.toml(value)));
    settings.remove("type");
    return new Options(settings);
  }

  /// All values of a configuration as TOML types, a stage's own after those of its section.
  Map<String, Map<String, Object>> toMap(PipelineConfig config) {
    Map<String, Map<String, Object>> map = new LinkedHashMap<>();
    for (Record section : records(config)) {
      Map<String, Object> values = values(section);
      values.replaceAll((_, value) -> Values.toml(value));
      if (section instanceof StageSection stage) {
        values.putAll(new TreeMap<>(stage.options().values())); // equal files for equal runs
      }
      map.put(section(section.getClass()).name(), values);
    }
    return map;
  }

  /// The sections of a configuration, in order.
  List<Record> records(PipelineConfig config) {
    return Arrays.stream(PipelineConfig.class.getRecordComponents())
        .filter(component -> component.getType().isAnnotationPresent(Section.class))
        .map(component -> (Record) get(component, config))
        .toList();
  }

  /// The description of a section's record.
  SectionSpec section(Class<?> type) {
    return sections.stream().filter(section -> section.type() == type).findFirst().orElseThrow();
  }

  private static SectionSpec section(RecordComponent component, Section section) {
    List<KeySpec> keys = new ArrayList<>();
    boolean open = false;
    for (RecordComponent part : component.getType().getRecordComponents()) {
      Key key = part.getAnnotation(Key.class);
      if (key == null) {
        open = true; // the one component without a key holds what a stage brings
      } else {
        keys.add(KeySpec.of(part, key));
      }
    }
    return new SectionSpec(
        component.getName(), section.value(), component.getType(), List.copyOf(keys), open);
  }

  private static Object get(RecordComponent component, Object owner) {
    try {
      return component.getAccessor().invoke(owner);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a record's component can be read", e);
    }
  }

  private static Object construct(Class<?> type, List<Object> arguments) {
    Class<?>[] types =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      return constructor.newInstance(arguments.toArray());
    } catch (InvocationTargetException e) {
      throw new IllegalArgumentException(e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a record has its canonical constructor", e);
    }
  }
}
