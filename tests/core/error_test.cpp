#include <gtest/gtest.h>

#include <string>
#include <tortoise/options.hpp>
#include <tortoise/result.hpp>

namespace tortoise {
namespace {

TEST(Error, DescribesItselfInOneLine) {
    EXPECT_EQ(make_error(Reason::not_authorized, "quota of tenant 7").describe(),
              "not authorized (MQTT 0x87): quota of tenant 7");
    EXPECT_EQ(make_error(Reason::banned).describe(), "banned (MQTT 0x8A)");
    EXPECT_EQ(make_error(Errc::expired).describe(), "expired");
    EXPECT_EQ(make_error(Errc::invalid_url, "no host").describe(), "invalid URL: no host");
    const Error system{std::make_error_code(std::errc::connection_refused), "127.0.0.1:1883"};
    EXPECT_EQ(system.describe(), "Connection refused: 127.0.0.1:1883");
}

TEST(Error, CodesAreComparedWithErrcAndReason) {
    const auto error = make_error(Reason::keep_alive_timeout);
    EXPECT_EQ(error.code, Reason::keep_alive_timeout);
    EXPECT_NE(error.code, Errc::keep_alive_timeout);
    EXPECT_EQ(make_error(Errc::stopped).code, Errc::stopped);
    EXPECT_EQ(error.code.category(), reason_category());
    EXPECT_STREQ(reason_category().name(), "mqtt");
    EXPECT_STREQ(errc_category().name(), "tortoise");
    EXPECT_FALSE(make_error(Reason::success).code);
    EXPECT_FALSE(Error{}.code);
}

TEST(Error, EveryCodeHasAName) {
    for (int code = static_cast<int>(Errc::invalid_option); code <= static_cast<int>(Errc::store_failed); ++code)
        EXPECT_NE(errc_category().message(code), "unknown error") << code;
    EXPECT_EQ(errc_category().message(0), "unknown error");
    EXPECT_EQ(errc_category().message(999), "unknown error");
    std::size_t known = 0;
    for (int code = 0; code < 256; ++code) known += reason_category().message(code) != "unknown reason code";
    EXPECT_EQ(known, 43u); // the codes of table 2-6, each once
    EXPECT_EQ(to_string(Reason{0x7F}), "unknown reason code");
}

TEST(Result, HoldsAValueOrAnError) {
    const Result<int> seven = 7, failed = make_error(Errc::expired, "late");
    EXPECT_TRUE(seven);
    EXPECT_EQ(*seven, 7);
    EXPECT_EQ(seven.value(), 7);
    EXPECT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::expired);
    EXPECT_EQ(failed.value_or(1), 1);
    try {
        static_cast<void>(failed.value());
        FAIL() << "nothing was thrown";
    } catch (const std::system_error& e) {
        EXPECT_EQ(e.code(), Errc::expired);
        EXPECT_NE(std::string(e.what()).find("late"), std::string::npos);
    }
}

TEST(Classify, PassingTroublesAreRetried) {
    for (const auto code : {Errc::host_not_found, Errc::connect_timeout, Errc::keep_alive_timeout,
                            Errc::connection_lost, Errc::not_mqtt, Errc::timeout})
        EXPECT_EQ(classify(make_error(code)), Retry::retry) << make_error(code).describe();
    for (const auto code :
         {Reason::success, Reason::unspecified_error, Reason::malformed_packet, Reason::protocol_error,
          Reason::implementation_specific_error, Reason::server_unavailable, Reason::server_busy,
          Reason::server_shutting_down, Reason::keep_alive_timeout, Reason::receive_maximum_exceeded,
          Reason::topic_alias_invalid, Reason::message_rate_too_high, Reason::use_another_server, Reason::server_moved,
          Reason::connection_rate_exceeded, Reason::maximum_connect_time})
        EXPECT_EQ(classify(make_error(code)), Retry::retry) << to_string(code);
    EXPECT_EQ(classify(Error{}), Retry::retry);
}

TEST(Classify, WhateverTheSystemSaysOfTheNetworkIsRetried) {
    for (const auto code : {std::errc::connection_refused, std::errc::connection_reset, std::errc::connection_aborted,
                            std::errc::host_unreachable, std::errc::network_unreachable, std::errc::network_down,
                            std::errc::network_reset, std::errc::timed_out, std::errc::broken_pipe,
                            std::errc::not_connected, std::errc::too_many_files_open, std::errc::address_not_available,
                            std::errc::no_buffer_space, std::errc::permission_denied})
        EXPECT_EQ(classify(Error{std::make_error_code(code), ""}), Retry::retry) << std::make_error_code(code);
}

TEST(Classify, WhatNeedsSomebodysHelpIsRetriedSlowly) {
    for (const auto code : {Reason::client_identifier_not_valid, Reason::bad_user_name_or_password,
                            Reason::not_authorized, Reason::banned, Reason::session_taken_over, Reason::quota_exceeded,
                            Reason::administrative_action, Reason::qos_not_supported, Reason::retain_not_supported})
        EXPECT_EQ(classify(make_error(code)), Retry::slow) << to_string(code);
    for (const auto code : {Errc::tls_expired, Errc::tls_wrong_name, Errc::tls_unknown_issuer, Errc::tls_self_signed,
                            Errc::tls_bad_certificate, Errc::tls_certificate_required, Errc::tls_certificate_refused,
                            Errc::tls_version_refused, Errc::tls_handshake})
        EXPECT_EQ(classify(make_error(code)), Retry::slow) << make_error(code).describe();
}

TEST(Classify, WhatCannotGetBetterIsFatal) {
    for (const auto code : {Errc::handler_threw, Errc::stopped, Errc::invalid_option, Errc::invalid_url,
                            Errc::invalid_topic, Errc::not_supported, Errc::tls_configuration})
        EXPECT_EQ(classify(make_error(code)), Retry::fatal) << make_error(code).describe();
    for (const auto code : {Reason::unsupported_protocol_version, Reason::bad_authentication_method})
        EXPECT_EQ(classify(make_error(code)), Retry::fatal) << to_string(code);
}

} // namespace
} // namespace tortoise
