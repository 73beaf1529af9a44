// Times ggml on the CPU: one MoE block (768/3072, 8 experts, top-2, GELU, biases) built from mul_mat_id.
// usage: ggml_block TOKENS [f32|bf16] [SECONDS] [THREADS]; prints one JSON line.
#include <ggml-cpu.h>
#include <ggml.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {
constexpr int kModel = 768, kHidden = 3072, kExperts = 8, kTopK = 2;
std::mt19937 generator(7);

void fill(ggml_tensor* t, float deviation) {
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(ggml_nelements(t));
  for (float& v : values) v = normal(generator);
  if (t->type == GGML_TYPE_BF16) {
    ggml_fp32_to_bf16_row(values.data(), static_cast<ggml_bf16_t*>(t->data), values.size());
  } else {
    std::memcpy(t->data, values.data(), values.size() * sizeof(float));
  }
}

ggml_tensor* parameter(ggml_context* c, ggml_type type, float deviation, int a, int b = 1, int d = 1) {
  ggml_tensor* t = ggml_new_tensor_3d(c, type, a, b, d);
  fill(t, deviation);
  return t;
}
}  // namespace

int main(int argc, char** argv) {
  const int tokens = std::atoi(argv[1]);
  const bool bf16 = argc > 2 && !std::strcmp(argv[2], "bf16");
  const double seconds = argc > 3 ? std::atof(argv[3]) : 4;
  const int threads = argc > 4 ? std::atoi(argv[4]) : 2;
  const ggml_type type = bf16 ? GGML_TYPE_BF16 : GGML_TYPE_F32;
  const size_t bytes = (size_t(600) << 20) + size_t(tokens) * kTopK * (kHidden + kModel) * 4 * 8;
  ggml_context* c = ggml_init({bytes, nullptr, false});

  ggml_tensor* x = parameter(c, GGML_TYPE_F32, 1, kModel, tokens);
  ggml_tensor* router = parameter(c, GGML_TYPE_F32, 1 / std::sqrt(float(kModel)), kModel, kExperts);
  ggml_tensor* up = parameter(c, type, 1 / std::sqrt(float(kModel)), kModel, kHidden, kExperts);
  ggml_tensor* upBias = parameter(c, GGML_TYPE_F32, 0.1f, kHidden, kExperts);
  ggml_tensor* down = parameter(c, type, 1 / std::sqrt(float(kHidden)), kHidden, kModel, kExperts);
  ggml_tensor* downBias = parameter(c, GGML_TYPE_F32, 0.1f, kModel, kExperts);

  ggml_tensor* probabilities = ggml_soft_max(c, ggml_mul_mat(c, router, x));
  ggml_tensor* ids = ggml_argsort_top_k(c, probabilities, kTopK);
  ggml_tensor* gates =
      ggml_get_rows(c, ggml_reshape_3d(c, probabilities, 1, kExperts, tokens), ids);
  gates = ggml_reshape_2d(c, gates, kTopK, tokens);
  gates = ggml_reshape_3d(c, ggml_div(c, gates, ggml_sum_rows(c, gates)), 1, kTopK, tokens);
  ggml_tensor* hidden = ggml_mul_mat_id(c, up, ggml_reshape_3d(c, x, kModel, 1, tokens), ids);
  hidden = ggml_gelu(c, ggml_add_id(c, hidden, upBias, ids));
  ggml_tensor* rows = ggml_add_id(c, ggml_mul_mat_id(c, down, hidden, ids), downBias, ids);
  rows = ggml_mul(c, rows, gates);
  ggml_tensor* first = ggml_view_2d(c, rows, kModel, tokens, rows->nb[2], 0);
  ggml_tensor* second = ggml_view_2d(c, rows, kModel, tokens, rows->nb[2], rows->nb[1]);
  ggml_cgraph* graph = ggml_new_graph(c);
  ggml_build_forward_expand(graph, ggml_add(c, first, second));

  ggml_threadpool_params params = ggml_threadpool_params_default(threads);
  ggml_cplan plan = ggml_graph_plan(graph, threads, ggml_threadpool_new(&params));
  std::vector<unsigned char> work(plan.work_size);
  plan.work_data = work.data();
  using clock = std::chrono::steady_clock;
  for (int i = 0; i < 5; i++) ggml_graph_compute(graph, &plan);
  std::vector<double> times;
  const auto end = clock::now() + std::chrono::duration<double>(seconds);
  while (clock::now() < end || times.size() < 5) {
    const auto start = clock::now();
    ggml_graph_compute(graph, &plan);
    times.push_back(std::chrono::duration<double, std::milli>(clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  std::printf(
      "{\"peer\":\"ggml-%s\",\"case\":\"block-%d\",\"median_ms\":%.3f,\"p5_ms\":%.3f,\"p95_ms\":%.3f,\"runs\":%zu}\n",
      bf16 ? "bf16" : "f32", tokens, times[times.size() / 2], times[times.size() / 20],
      times[times.size() * 19 / 20], times.size());
}
