package moe.engine.metrics;

import java.util.List;

/// The experts' profiles as JSON.
final class ExpertJson {
  private ExpertJson() {}

  static String page(List<ExpertProfile> experts) {
    return new JsonOut().list("experts", experts, ExpertJson::profile).page();
  }

  static List<ExpertProfile> read(String place, String text) {
    return JsonIn.read(place, text, json -> json.objects("experts", ExpertJson::profile));
  }

  private static JsonOut profile(ExpertProfile profile) {
    return new JsonOut()
        .put("layer", profile.layer())
        .put("expert", profile.expert())
        .put("share", profile.share())
        .list(
            "tokens",
            profile.tokens(),
            token ->
                new JsonOut()
                    .put("text", token.text())
                    .put("lift", token.lift())
                    .put("count", token.count()));
  }

  private static ExpertProfile profile(JsonIn json) {
    return new ExpertProfile(
        json.integer("layer"),
        json.integer("expert"),
        json.number("share"),
        json.objects(
            "tokens",
            token ->
                new ExpertProfile.Token(
                    token.text("text"), token.number("lift"), token.whole("count"))));
  }
}
