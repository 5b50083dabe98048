#pragma once

// Return addresses, innermost first.
struct Capture {
  void* pcs[4];
};

extern "C" void names_sample(Capture* out);
extern "C" void names_sample_lambda(Capture* out);
