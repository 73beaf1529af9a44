package moe.engine.config;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import moe.spi.device.DType;

/// What must hold between the values of a pipeline.
final class Rules {
  /// A rule that does not hold.
  ///
  /// @param keys the keys it is about, by `section.key`; the first one is to blame
  /// @param text what must be
  record Violation(List<String> keys, String text) {
    @Override
    public String toString() {
      return keys.getFirst() + ": " + text;
    }
  }

  private final List<Violation> violations = new ArrayList<>();

  private Rules() {}

  /// Refuses sections that break a rule, or values out of the range of their keys.
  static void require(List<Record> sections) {
    Rules rules = new Rules();
    for (Record section : sections) {
      rules.ranges(section);
    }
    if (rules.violations.isEmpty()) {
      rules.check(sections);
    }
    if (!rules.violations.isEmpty()) {
      throw new IllegalArgumentException(rules.violations.toString());
    }
  }

  /// The rules that sections break whose values are in range.
  static List<Violation> violations(List<Record> sections) {
    Rules rules = new Rules();
    rules.check(sections);
    return rules.violations;
  }

  private void ranges(Record section) {
    Schema.SectionSpec spec = Schema.PIPELINE.section(section.getClass());
    Map<String, Object> values = Schema.PIPELINE.values(section);
    for (KeySpec key : spec.keys()) {
      Object value = Objects.requireNonNull(values.get(key.name()));
      Values.flaw(key, value).ifPresent(flaw -> broken(flaw, spec.name() + "." + key.name()));
    }
  }

  private void check(List<Record> sections) {
    for (Record section : sections) {
      switch (section) {
        case BackendSection backend -> check(backend);
        case ModelSection model -> check(model);
        case MoeSection moe -> check(moe, find(sections, ModelSection.class));
        case RouterSection router -> check(router, find(sections, MoeSection.class));
        case RunSection run ->
            check(
                run,
                find(sections, ModelSection.class),
                find(sections, MoeSection.class),
                find(sections, PrecisionSection.class));
        default -> {} // no rules
      }
    }
  }

  private void check(BackendSection backend) {
    if (backend.prefer().isEmpty()) {
      broken("must name at least one backend", "backend.prefer");
    }
    if (new HashSet<>(backend.prefer()).size() < backend.prefer().size()) {
      broken("must name each backend once", "backend.prefer");
    }
  }

  private void check(ModelSection model) {
    if (model.dModel() % model.heads() != 0) {
      broken(
          "must be a multiple of heads = %d".formatted(model.heads()),
          "model.d_model",
          "model.heads");
    }
  }

  private void check(MoeSection moe, ModelSection model) {
    if (moe.topK() > moe.experts()) {
      broken(
          "must be between 1 and experts = %d".formatted(moe.experts()),
          "moe.top_k",
          "moe.experts");
    }
    long weights = (long) moe.experts() * moe.dHidden(); // at most 2^36
    if (weights > Long.MAX_VALUE / Float.BYTES / model.dModel() / model.layers() / 4) {
      broken(
          "the experts' weights would have more bytes than a computer can count",
          "moe.experts",
          "moe.d_hidden",
          "model.d_model",
          "model.layers");
    }
  }

  private void check(RouterSection router, MoeSection moe) {
    boolean fixed = router.type().equals("topk") || router.type().equals("replay");
    if (router.selection() == ExpertCount.TOP_P && fixed) {
      broken(
          "router %s does not choose by \"top-p\"; choose type = \"energy-ttt\""
              .formatted(router.type()),
          "router.selection",
          "router.type");
    }
    if (!(router.p() > 0)) {
      broken("must be above 0 and at most 1", "router.p");
    }
    if (router.maxK() > moe.topK()) {
      broken(
          "must be at most [moe] top_k = %d, the slots of a token".formatted(moe.topK()),
          "router.max_k",
          "moe.top_k");
    }
  }

  private void check(
      RunSection run, ModelSection model, MoeSection moe, PrecisionSection precision) {
    if (run.seqLength() > model.context()) {
      broken(
          "must be between 1 and [model] context = %d".formatted(model.context()),
          "run.seq_length",
          "model.context");
    }
    long tokens = (long) run.batchSize() * run.seqLength(); // at most 2^40
    if (tokens * moe.topK() > Integer.MAX_VALUE) {
      broken(
          "a batch of batch_size · seq_length · [moe] top_k = %d assignments; at most %d work"
              .formatted(tokens * moe.topK(), Integer.MAX_VALUE),
          "run.batch_size",
          "run.seq_length",
          "moe.top_k");
    }
    if (run.mode() == RunMode.TRAIN && precision.weights() != DType.F32) {
      broken(
          "training stores its weights as \"f32\"; or choose [run] mode = \"evaluate\"",
          "precision.weights",
          "run.mode");
    }
  }

  private void broken(String text, String... keys) {
    violations.add(new Violation(List.of(keys), text));
  }

  private static <T extends Record> T find(List<Record> sections, Class<T> type) {
    return sections.stream().filter(type::isInstance).map(type::cast).findFirst().orElseThrow();
  }
}
