#include <gtest/gtest.h>

#include "tests/blocking/disturber.h"
#include "tests/blocking/situation.h"

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  register_situations();
  install_raw_handler_if_wanted();
  return RUN_ALL_TESTS();
}
