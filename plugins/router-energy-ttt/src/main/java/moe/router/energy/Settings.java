package moe.router.energy;

import java.util.Locale;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.Options;

/// The settings of one `energy-ttt` router.
///
/// @param lambda weight of an expert's relative energy in its score (λ)
/// @param keepTop1 whether the expert with the largest logit is kept whatever its energy
/// @param mass probability at which a token has enough experts; 1 for always `most`
/// @param most the most experts of a token
/// @param objective what the fast weights learn from
/// @param every chunks between two updates
/// @param chunk least tokens of a chunk for `LOCAL`; a call is never split
/// @param rate step size of an update
/// @param norm the largest length of the fast weights
/// @param evenness weight of evenness beside energy (μ)
/// @param resets whether the fast weights return to zero at each document
/// @param flopsPerByte operations that cost as much energy as reading a byte, until prices are
///   known
record Settings(
    double lambda,
    boolean keepTop1,
    double mass,
    int most,
    Objective objective,
    int every,
    int chunk,
    double rate,
    double norm,
    double evenness,
    boolean resets,
    double flopsPerByte) {
  static final String CHUNK = "chunk_size";
  static final String NORM = "ttt_norm";
  static final String EVENNESS = "ttt_evenness";
  static final String FLOPS_PER_BYTE = "flops_per_byte";
  static final double FLOPS_PER_BYTE_ABSENT = 50;

  static Settings of(Options options, LayerSpec spec) {
    int most = (int) options.number("max_k", 0);
    boolean varies = options.text("selection", "top-k").equals("top-p");
    return new Settings(
        options.number("lambda_energy", 0),
        options.flag("keep_top1", true),
        varies ? options.number("p", 1) : 1,
        most == 0 || !varies ? spec.topK() : Math.min(most, spec.topK()),
        Objective.valueOf(options.text("ttt", "none").toUpperCase(Locale.ROOT)),
        (int) options.number("ttt_every", 1),
        (int) options.number(CHUNK, 1),
        options.number("ttt_rate", 0.01),
        options.number(NORM, 1),
        options.number(EVENNESS, 0.01),
        options.text("reset", "never").equals("document"),
        options.number(FLOPS_PER_BYTE, FLOPS_PER_BYTE_ABSENT));
  }

  /// Whether the number of experts differs from token to token.
  boolean varies() {
    return mass < 1;
  }
}
