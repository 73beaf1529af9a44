package moe.spi.stage.energy;

import java.util.List;
import java.util.Locale;
import moe.spi.stage.LayerSpec;
import moe.spi.stage.OptionSpec;
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
public record EnergySettings(
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
  /// The router's name.
  public static final String NAME = "energy-ttt";

  private static final String CHUNK = "chunk_size";
  private static final String NORM = "ttt_norm";
  private static final String EVENNESS = "ttt_evenness";
  private static final String FLOPS_PER_BYTE = "flops_per_byte";
  private static final double FLOPS_PER_BYTE_ABSENT = 50;

  /// The keys that this router has beside those of all routers.
  public static List<OptionSpec> options() {
    return List.of(
        OptionSpec.whole(
            CHUNK,
            1,
            1 << 20,
            "Least tokens of a chunk that ttt = \"local\" learns from; a batch is never split. 1."),
        OptionSpec.number(
            NORM, 0, 1e6, "The largest Euclidean norm of a layer's fast weights. 1.0."),
        OptionSpec.number(
            EVENNESS, 0, 1e6, "Weight of evenness beside energy in ttt = \"local\" (μ). 0.01."),
        OptionSpec.number(
            FLOPS_PER_BYTE,
            1e-6,
            1e9,
            "Operations that cost as much energy as reading a byte, until a meter tells. 50."));
  }

  /// The settings in a router's section.
  public static EnergySettings of(Options options, LayerSpec spec) {
    int most = (int) options.number("max_k", 0);
    boolean varies = options.text("selection", "top-k").equals("top-p");
    return new EnergySettings(
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
  public boolean varies() {
    return mass < 1;
  }
}
