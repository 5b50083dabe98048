#define FRAMES frames_o0
#include "unwind_frames.inc"
