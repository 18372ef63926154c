#pragma once
/// Everything but the parts to opt in to (core/, testing/).

#include <tortoise/connection.hpp>
#include <tortoise/error.hpp>
#include <tortoise/events.hpp>
#include <tortoise/handler.hpp>
#include <tortoise/logger_handler.hpp>
#include <tortoise/message.hpp>
#include <tortoise/options.hpp>
#include <tortoise/pending.hpp>
#include <tortoise/pipe.hpp>
#include <tortoise/registry.hpp>
#include <tortoise/result.hpp>
#include <tortoise/runtime.hpp>
#include <tortoise/statistics.hpp>
#include <tortoise/stream.hpp>
#include <tortoise/supervisor.hpp>
#include <tortoise/tls.hpp>
#include <tortoise/topic.hpp>
#include <tortoise/transport.hpp>
#include <tortoise/types.hpp>
